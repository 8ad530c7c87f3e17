export default {
  extensions: ['ts'],
  files: ['e2e/cases/**/*.test.ts'],
  timeout: '6m',
};
