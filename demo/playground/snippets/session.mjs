const response = await fetch(`${process.env.CONNECT_URL}/v1/sessions`, {
  method: 'POST',
  headers: {
    Authorization: `Bearer ${process.env.MERCHANT_API_KEY}`,
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({"customer_id": "cus_1042"}),
});
const { client_secret } = await response.json();
console.log(client_secret);
