// In a project of its own: import 'finix-bank-connect';
import '../../widget/index.ts';

const outcome = document.querySelector('#outcome');

document.querySelector('finix-bank-connect')?.addEventListener('fbc-connected', ({ detail }) => {
  const [connection] = detail.connections;
  if (outcome) outcome.textContent = `Connected: ${connection?.id}`;
});
