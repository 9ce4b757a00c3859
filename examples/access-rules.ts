// Everybody publishes below their own name and reads what is public; a curfew shows how rules change.
import process from 'node:process';
import { Broker } from 'davylamp/broker';

let isCurfew = false;

const broker = await Broker.start({
  listeners: [{ port: Number(process.env['PORT'] ?? 1883) }],
  hooks: {
    authenticate: ({ username }) => username !== undefined,
    authorizePublish: ({ name }, topic) => topic.startsWith(`users/${name}/`) && !isCurfew,
    authorizeSubscribe: ({ name }, filter) =>
      filter.startsWith('public/') || filter.startsWith(`users/${name}/`),
  },
});
console.log(`clients: ${broker.url}`);

// What was allowed before is asked about again.
process.on('SIGUSR2', () => {
  isCurfew = true;
  broker.rulesChanged();
  console.log('curfew');
});
