declare const element: HTMLElement;
declare const dialog: HTMLDialogElement;

// #region close
element.addEventListener('fbc-open', () => dialog.close());
// #endregion
