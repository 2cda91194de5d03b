/** Places where a test may kill the process (SIGKILL), to see that what is left behind is whole. */

const passed = new Map<string, number>();

/**
 * Kills the process here when TOCSIN_FAIL_POINT is `name`, or `name:3` at the third time that it comes by. Does nothing
 * where the variable is not set.
 */
export function failPoint(name: string, env: NodeJS.ProcessEnv = process.env): void {
  const asked = env['TOCSIN_FAIL_POINT'];
  if (!asked) return;
  const [wanted, time = '1'] = asked.split(':');
  if (wanted !== name) return;
  const times = (passed.get(name) ?? 0) + 1;
  passed.set(name, times);
  if (times === Number(time)) process.kill(process.pid, 'SIGKILL');
}
