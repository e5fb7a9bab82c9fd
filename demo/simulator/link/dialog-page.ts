/** The frame's page. Everything on it comes from the simulator's own origin, so that a strict policy holds. */
export const DIALOG_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>Connect your bank (simulator)</title>
<link rel="stylesheet" href="/link/dialog.css">
<script type="module" src="/link/dialog.js"></script>
</head>
<body>
<div class="backdrop">
  <div class="card" id="card" role="dialog" aria-modal="true" aria-labelledby="title" tabindex="-1">
    <p class="notice" id="notice">
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M6 1.5h4M6.75 1.5v4L2.6 12.6a1.2 1.2 0 0 0 1 1.9h8.8a1.2 1.2 0 0 0 1-1.9L9.25 5.5v-4M4.6 10h6.8" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/></svg>
      <span><b>Simulator.</b> No real bank: type no real password.</span>
    </p>
    <div class="bar">
      <button class="icon" id="back" type="button" aria-label="Back" hidden>
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d="M12 4.5 6.5 10l5.5 5.5" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/></svg>
      </button>
      <div class="progress" id="progress" aria-hidden="true"></div>
      <button class="icon" id="close" type="button" aria-label="Close">
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d="m5.5 5.5 9 9m0-9-9 9" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round"/></svg>
      </button>
    </div>
    <div class="pane" id="pane"></div>
    <div class="confirm" id="confirm" role="alertdialog" aria-modal="true" aria-labelledby="confirm-title" aria-describedby="confirm-text" hidden>
      <div class="sheet">
        <h2 id="confirm-title">Leave without connecting?</h2>
        <p id="confirm-text">What you have done so far will not be kept.</p>
        <button class="primary" id="stay" type="button">Stay</button>
        <button class="plain" id="leave" type="button">Yes, leave</button>
      </div>
    </div>
  </div>
</div>
</body>
</html>
`;

/**
 * The page of a bank with a sign-in of its own. It is the bank's window, so it looks like neither Link nor the shop.
 */
export const OAUTH_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>Sign in (simulated bank)</title>
<link rel="stylesheet" href="/link/dialog.css">
<script type="module" src="/link/oauth.js"></script>
</head>
<body class="bank">
<p class="notice"><span><b>Simulator.</b> No real bank: type no real password.</span></p>
<main class="pane" id="main" hidden>
  <span class="mark big" id="mark" aria-hidden="true">PO</span>
  <h1 id="bank-name">Your bank</h1>
  <p class="lead">An application asks to see your accounts and your name. Sign in to share them.</p>
  <form id="form" class="stack" novalidate>
    <label class="field"><span>User name</span><input id="username" name="username" autocomplete="off" autocapitalize="none" spellcheck="false" value="user_good"></label>
    <p class="problem" id="problem" role="alert" hidden></p>
    <button class="primary" type="submit">Sign in and share</button>
    <button class="plain" type="button" id="decline">Cancel</button>
  </form>
</main>
</body>
</html>
`;
