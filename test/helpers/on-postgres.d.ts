/** A test file, for `onPostgres`. */
declare module '*?on-postgres' {
  export {};
}
