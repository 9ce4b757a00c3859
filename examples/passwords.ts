// Asks the program itself who may come in: here a table, elsewhere a database or a directory.
import { createHash, timingSafeEqual } from 'node:crypto';
import process from 'node:process';
import { Broker, ReasonCode } from 'davylamp/broker';

const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();
const tokens = new Map([['detector-7', digest('3nKc-long-random-token')]]);

const broker = await Broker.start({
  listeners: [{ port: Number(process.env['PORT'] ?? 1883) }],
  hooks: {
    async authenticate({ username = '', password = '' }) {
      const known = await Promise.resolve(tokens.get(username)); // a look-up that takes its time
      const isRight = timingSafeEqual(digest(password), known ?? digest('nobody'));
      return known !== undefined && isRight
        ? { name: username }
        : { reasonCode: ReasonCode.BadUserNameOrPassword };
    },
  },
});
console.log(`clients: ${broker.url}`);
