import 'finix-bank-connect';

const element = document.createElement('finix-bank-connect');
element.name = 'bank_account';
element.required = true;
element.endpoint = 'https://connect.merchant.example';
element.fetchClientSecret = async () => {
  const response = await fetch('/api/session', { method: 'POST' });
  const { client_secret } = await response.json();
  return client_secret;
};
document.querySelector('form')?.prepend(element);
