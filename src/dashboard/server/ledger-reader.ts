/** The ledger for the page: one view of the label worker's state, opened once and refreshed when asked. */
import type { Bus, StateView } from '../../bus/port.ts';
import { type LedgerSummary, ledgerOf, summariseLedger, watchLedger } from '../../pipeline/ledger.ts';

export interface LedgerReader {
  /** As committed now. Callers that come while one is being read share its answer. */
  read(): Promise<LedgerSummary>;
  close(): Promise<void>;
}

export function createLedgerReader(bus: Bus): LedgerReader {
  let view: StateView | null = null;
  let reading: Promise<LedgerSummary> | null = null;

  const read = async (): Promise<LedgerSummary> => {
    try {
      view ??= await watchLedger(bus);
      await view.refresh();
      return await summariseLedger(bus, ledgerOf(view));
    } catch (error) {
      // Whatever broke may have broken the view: the next read opens another.
      const broken = view;
      view = null;
      await broken?.close().catch(() => {});
      throw error;
    }
  };

  return {
    read() {
      reading ??= read().finally(() => {
        reading = null;
      });
      return reading;
    },
    async close() {
      await reading?.catch(() => {});
      await view?.close();
      view = null;
    },
  };
}
