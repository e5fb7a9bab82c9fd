// vite.config.ts
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const isCustomElement = (tag: string) => tag === 'finix-bank-connect';
const shop = 'http://localhost:8000'; // your back end

export default defineConfig({
  plugins: [vue({ template: { compilerOptions: { isCustomElement } } })],
  server: { proxy: { '/api': shop, '/checkout': shop } },
});
