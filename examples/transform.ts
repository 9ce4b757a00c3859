// Changes messages before they are routed: reads what old detectors say, and lets nothing else through.
import process from 'node:process';
import { Broker, ReasonCode } from 'davylamp/broker';

const broker = await Broker.start({
  listeners: [{ port: Number(process.env['PORT'] ?? 1883), allowAnonymous: true }],
  hooks: {
    transform({ topic, payload }, { clientId }) {
      if (!topic.startsWith('gas/')) return undefined; // as it is
      const percent = Number(payload.toString());
      if (!Number.isFinite(percent))
        return { drop: 'no number', reasonCode: ReasonCode.PayloadFormatInvalid };
      return {
        payload: Buffer.from(JSON.stringify({ percent })),
        retain: true,
        properties: { contentType: 'application/json', userProperties: [['from', clientId]] },
      };
    },
  },
});
console.log(`clients: ${broker.url}`);
