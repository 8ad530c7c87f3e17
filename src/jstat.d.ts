/** The part of jstat (https://jstat.github.io) that is used here; the package brings no types. */
declare module 'jstat' {
  const jStat: {
    /** The regularised incomplete beta function I_x(a, b). */
    ibeta(x: number, a: number, b: number): number;
  };
  export default jStat;
}
