// vite.config.ts
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const shop = 'http://localhost:8000'; // your back end

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': shop, '/checkout': shop } },
});
