/** The runbook docs/operations.md, which the build reads. */
declare module 'virtual:runbook' {
  const blocks: readonly import('./markdown-blocks.ts').Block[];
  export default blocks;
}
