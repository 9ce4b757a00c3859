// Sees everything and decides nothing: hooks that observe, and the counters.
import process from 'node:process';
import { Broker } from 'davylamp/broker';

const broker = await Broker.start({
  listeners: [{ port: Number(process.env['PORT'] ?? 1883), allowAnonymous: true }],
  limits: { maximumQueuedMessages: 100 },
  hooks: {
    connected: ({ clientId, version }) => console.log(`connected ${clientId} version ${version}`),
    disconnected: ({ clientId }, reason) => console.log(`disconnected ${clientId}: ${reason}`),
    subscribed: ({ clientId }, filter, qos) => console.log(`subscribed ${clientId} ${filter} ${qos}`),
    unsubscribed: ({ clientId }, filter) => console.log(`unsubscribed ${clientId} ${filter}`),
    published: ({ topic, payload }, client) =>
      console.log(`published ${topic} ${payload.toString()} by ${client?.clientId ?? 'the program'}`),
    delivered: ({ topic }, clientId, qos) => console.log(`delivered ${topic} to ${clientId} at ${qos}`),
    dropped: (policy, clientId, topic) => console.log(`dropped ${topic} for ${clientId}: ${policy}`),
  },
});
console.log(`clients: ${broker.url}`);
process.on('SIGUSR2', () => {
  const { clientsConnected, publishReceived, publishSent, messagesDropped } = broker.statistics;
  console.log(JSON.stringify({ clientsConnected, publishReceived, publishSent, messagesDropped }));
});
