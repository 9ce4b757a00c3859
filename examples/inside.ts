// The program itself subscribes and publishes: no socket, no password, no second process.
import process from 'node:process';
import { Broker } from 'davylamp/broker';

const broker = await Broker.start({
  listeners: [{ port: Number(process.env['PORT'] ?? 1883), allowAnonymous: true }],
});
await broker.subscribe(
  'question/+',
  async ({ topic, payload, properties }) => {
    const answer = await Promise.resolve(payload.toString().toUpperCase());
    // At QoS 1 the question is acknowledged when this function is done.
    broker.publish(properties?.responseTopic ?? topic.replace('question', 'answer'), answer, { qos: 1 });
  },
  { qos: 1 },
);
broker.publish('state/server', 'ready', { retain: true });
console.log(`clients: ${broker.url}`);
