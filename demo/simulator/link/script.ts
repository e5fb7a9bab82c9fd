/**
 * The page's half of Link: what `link-initialize.js` is in real life. Served as it is, so it is plain JavaScript for
 * browsers. It holds no knowledge of scenarios; the frame and the server behind it decide everything.
 */
export const LINK_SCRIPT = `(function () {
  'use strict';
  var here = document.currentScript && document.currentScript.src;
  var base = here ? new URL('./', here) : new URL('/link/', location.href);

  if (window.Plaid && window.Plaid.isSimulator) {
    console.warn('link-initialize.js was embedded more than once on this page. Embed it only once; anything else is not supported.');
    return;
  }

  var CHANNEL = 'bank-connect-simulator-link';
  var frames = 0;

  function emptyMetadata() {
    return {
      account_number_mask: null, error_code: null, error_message: null, error_type: null, exit_status: null,
      institution_id: null, institution_name: null, institution_search_query: null, is_update_mode: null,
      link_session_id: '', match_reason: null, mfa_type: null, request_id: '', routing_number: null, selection: null,
      timestamp: new Date().toISOString(), view_name: null
    };
  }

  function create(config) {
    return handlerOf(config).handler;
  }

  function handlerOf(config) {
    if (!config || typeof config.token !== 'string' || config.token === '') {
      throw new Error('Plaid.create needs a link token: { token }');
    }
    if (typeof config.onSuccess !== 'function') throw new Error('Plaid.create needs { onSuccess }');

    // Taken once, here, and put back on every close: that is what the real script does.
    var overflow = document.body.style.overflow;
    var isReady = false, isOpen = false, isDestroyed = false, isOpenWanted = false, preselected = null;
    var queue = [];

    var frame = document.createElement('iframe');
    frames += 1;
    frame.id = 'plaid-link-iframe-' + frames;
    frame.title = 'Plaid Link (simulator)';
    frame.setAttribute('allow', 'clipboard-read; clipboard-write');
    // Rules through the object model, one by one: a style attribute would be stopped by a strict page policy.
    var look = { position: 'fixed', inset: '0', width: '100%', height: '100%', border: '0', margin: '0',
      'z-index': '2147483647', background: 'transparent', display: 'none', 'color-scheme': 'normal' };
    Object.keys(look).forEach(function (name) { frame.style.setProperty(name, look[name]); });
    frame.src = new URL('dialog', base).href;
    window.addEventListener('message', receive);
    document.body.appendChild(frame);

    function send(message) {
      message.channel = CHANNEL;
      frame.contentWindow.postMessage(message, base.origin);
    }

    function receive(event) {
      if (event.origin !== base.origin || event.source !== frame.contentWindow) return;
      var message = event.data;
      if (!message || message.channel !== CHANNEL) return;
      if (message.kind === 'ready') {
        send({ kind: 'init', token: config.token, receivedRedirectUri: config.receivedRedirectUri || null });
      } else if (message.kind === 'loaded') {
        isReady = true;
        if (config.onLoad) config.onLoad();
        if (isOpenWanted) show();
      } else if (message.kind === 'go') {
        // The bank's page is the simulator's own; nothing else is gone to.
        if (new URL(message.url).origin === base.origin) location.assign(message.url);
      } else if (message.kind === 'event') {
        emit(message.name, message.metadata);
      } else if (message.kind === 'success' && isOpen) {
        finish('HANDOFF', message, function () { config.onSuccess(message.public_token, message.metadata); });
      } else if (message.kind === 'failed' && !isOpen && !isOpenWanted) {
        var failure = Object.assign({}, message.metadata, { status: null });
        if (config.onExit) config.onExit(message.error, failure);
        if (config.onEvent) config.onEvent('EXIT', Object.assign(emptyMetadata(), message.event));
      } else if (message.kind === 'exit' && isOpen) {
        finish('EXIT', message, function () { if (config.onExit) config.onExit(message.error, message.metadata); });
      }
    }

    // Only OPEN is sent at once. The rest comes when Link ends, as Plaid documents, around the other callbacks.
    function emit(name, metadata) {
      if (!config.onEvent) return;
      var whole = Object.assign(emptyMetadata(), metadata);
      if (name === 'OPEN') config.onEvent(name, whole);
      else queue.push([name, whole]);
    }

    function finish(lastEvent, message, callback) {
      hide();
      var events = queue;
      queue = [];
      events.forEach(function (entry) { config.onEvent(entry[0], entry[1]); });
      callback();
      if (config.onEvent) config.onEvent(lastEvent, Object.assign(emptyMetadata(), message.event));
    }

    function show() {
      isOpenWanted = false;
      isOpen = true;
      document.body.style.overflow = 'hidden';
      frame.style.setProperty('display', 'block');
      frame.focus();
      send({ kind: 'open', institution_id: preselected });
    }

    function hide() {
      isOpen = false;
      frame.style.setProperty('display', 'none');
      // A page that is written again has none for a moment.
      if (document.body) document.body.style.overflow = overflow;
    }

    function openAt(institution) {
      preselected = institution;
      handler.open();
    }

    function leave(error) {
      if (config.onExit) config.onExit(error, { institution: null, status: null, link_session_id: '', request_id: '' });
    }

    var handler = {
      open: function () {
        if (isDestroyed) return console.warn('Link was opened after it was destroyed.');
        if (isOpen) return undefined;
        if (isReady) show();
        else isOpenWanted = true;
        return undefined;
      },
      exit: function (options) {
        if (!isOpen) return console.warn('Link was asked to exit while it was not open.');
        send({ kind: 'leave', force: Boolean(options && options.force) });
        return undefined;
      },
      submit: function () {
        console.warn('The simulator does not imitate submit(), which belongs to Layer.');
      },
      destroy: function () {
        if (isDestroyed) return;
        isDestroyed = true;
        if (isOpen) hide();
        window.removeEventListener('message', receive);
        frame.remove();
      }
    };
    return { handler: handler, openAt: openAt, leave: leave };
  }

  function createEmbedded(config, container) {
    if (!(container instanceof HTMLElement)) throw new Error('Plaid.createEmbedded needs an element to fill');
    if (window.parent !== window) throw new Error('Plaid.createEmbedded does not work inside an iframe');
    var link = handlerOf(config);
    var width = container.clientWidth, height = container.clientHeight;
    if (Math.max(width, height) < 350 || Math.min(width, height) < 300) {
      console.warn('The embedded search needs 350x300 or 300x350 pixels, but has ' + width + 'x' + height + '.');
    }
    var frame = document.createElement('iframe');
    frame.title = 'Plaid Link institution search (simulator)';
    var look = { width: '100%', height: '100%', border: '0', display: 'block', 'color-scheme': 'normal' };
    Object.keys(look).forEach(function (name) { frame.style.setProperty(name, look[name]); });
    frame.src = new URL('embedded', base).href;
    window.addEventListener('message', receive);
    container.appendChild(frame);

    function receive(event) {
      if (event.origin !== base.origin || event.source !== frame.contentWindow) return;
      var message = event.data;
      if (!message || message.channel !== CHANNEL) return;
      if (message.kind === 'ready') {
        frame.contentWindow.postMessage({ channel: CHANNEL, kind: 'init', token: config.token }, base.origin);
      } else if (message.kind === 'choose') {
        link.openAt(message.institution_id);
      } else if (message.kind === 'refused') {
        link.leave(message.error);
      }
    }

    return {
      destroy: function () {
        window.removeEventListener('message', receive);
        frame.remove();
        link.handler.destroy();
      }
    };
  }

  window.Plaid = { create: create, createEmbedded: createEmbedded, isSimulator: true, version: 'simulator' };
})();
`;
