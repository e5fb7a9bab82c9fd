import { createElement, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { App } from './app.ts';

const app = createElement(App, {
  shown: true,
  turn: 1,
  fetchClientSecret: () => Promise.reject(new Error('A server asks for no client secret')),
  receive: () => {},
});
process.stdout.write(renderToString(createElement(StrictMode, null, app)));
