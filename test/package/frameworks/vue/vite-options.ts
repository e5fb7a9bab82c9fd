// vite.config.ts: plugins: [vue(vueOptions)]
export const vueOptions = {
  template: { compilerOptions: { isCustomElement: (tag: string) => tag === 'finix-bank-connect' } },
};
