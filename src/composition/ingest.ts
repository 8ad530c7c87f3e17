export function openIngest(_: object) {
  return {
    sensors: () => [],
    learn(_entries: unknown) {},
    async listen(_at: unknown) {
      return 0;
    },
    async drain() {},
  };
}
