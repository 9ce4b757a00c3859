/**
 * What it costs to keep what is acknowledged: prints tables in Markdown.
 *   node --conditions=source benchmarks/durability.ts [load] [restart] [drain]
 *     [--rounds 3] [--seconds 5] [--queued 1000000] [--retained 100000] [--messages 500000]
 * `load`: QoS 1 to persistent sessions, the journal on and off. `restart`: a start of the broker that finds a full journal.
 * `drain`: what waited for a bridge under TLS. All three unless named. Files are made in `TMPDIR`: put that on the disk
 * that is meant.
 */
import { parseArgs } from 'node:util';
import { measureDrains } from './durability-drain.ts';
import { measureLoads } from './durability-load.ts';
import { measureRestarts } from './durability-restart.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    queued: { type: 'string', default: '1000000' },
    retained: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '500000' },
  },
});
const rounds = Number(values.rounds);
const parts = {
  load: () => measureLoads(rounds, Number(values.seconds)),
  restart: () => measureRestarts(rounds, Number(values.queued), Number(values.retained)),
  drain: () => measureDrains(rounds, Number(values.messages)),
};
for (const [name, measure] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  await measure();
  console.log('');
}
