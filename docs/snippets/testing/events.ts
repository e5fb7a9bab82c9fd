// #region send
const element = document.querySelector('finix-bank-connect');
element?.dispatchEvent(
  new CustomEvent('fbc-connected', {
    bubbles: true,
    detail: { connections: [{ id: 'con_1', status: 'active' }] },
  }),
);
// #endregion
