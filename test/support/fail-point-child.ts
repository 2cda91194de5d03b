/** Comes by a fail point three times, and says so each time. */
import { failPoint } from '../../src/config/fail-point.ts';

for (let time = 1; time <= 3; time += 1) {
  failPoint('child.step');
  process.stdout.write(`${time}`);
}
