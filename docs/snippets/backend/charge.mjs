export async function pay(connect, form, customer, charge) {
  // #region charge
  const connection = await connect.requireConnection(form.bank_account, { customerId: customer.id });
  charge(connection.payment_instrument); // PI…
  // #endregion
}
