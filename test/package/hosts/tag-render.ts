import { createElement, StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { Checkout } from './tag-app.ts';

process.stdout.write(renderToString(createElement(StrictMode, null, createElement(Checkout))));
