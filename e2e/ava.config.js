export default {
  extensions: ['ts'],
  files: ['e2e/cases/**/*.test.ts'],
  timeout: '5m',
  // Cases mostly wait.
  concurrency: 16,
};
