/** `tocsin claims`: the claim worker as a process. */
import type { Command } from 'commander';
import { CLAIMS_SERVICE } from '../claims/tell.ts';
import { startClaimWorker } from '../claims/worker.ts';
import { run, runWorker, withBusFlags } from './runtime.ts';

export function register(program: Command): void {
  withBusFlags(program.command('claims'))
    .description('Clusters posts into claims, counts them, takes rulings, raises alerts.')
    .action((flags: Readonly<Record<string, unknown>>) =>
      run(CLAIMS_SERVICE, flags, (runtime) =>
        runWorker(runtime, () =>
          startClaimWorker({
            bus: runtime.bus,
            codec: runtime.codec,
            metrics: runtime.metrics,
            sliceRecords: runtime.settings.sliceRecords,
            sliceMs: runtime.settings.sliceMs,
          }),
        ),
      ),
    );
}
