// Keeps svelte-check from taking the project's own Vite configuration for the fixture's.
export default {};
