/** Nanoseconds to know who gets a message: `node --conditions=source benchmarks/micro/route.bench.ts`. */
import { BenchRouter } from './bench-router.ts';
import { topicsOf } from './bench-topics.ts';
import { measure } from './measure.ts';

for (const count of [20_000, 200_000]) {
  const bench = new BenchRouter(count);
  const { router } = bench;
  const size = count.toLocaleString('en');
  const known = topicsOf(count, 1000);
  measure(`route, a topic that was asked for before, ${size} subscriptions`, 1_000_000, (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) sum += router.route(known[i % known.length]!).targets.length;
    return sum;
  });
  const many = topicsOf(count, 20_000);
  measure(`route, more topics than are remembered, ${size} subscriptions`, 200_000, (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) sum += router.route(many[i % many.length]!).targets.length;
    return sum;
  });
  const coming = bench.subscribe('comes and goes', 'davy/v1/tenant/+/+/state');
  const [subscription] = coming.subscriptions.values();
  measure(`unsubscribe, subscribe and route anew, ${size} subscriptions`, 100_000, (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) {
      router.unsubscribe(coming, 'davy/v1/tenant/+/+/state');
      router.subscribe(subscription!);
      sum += router.route(known[i % known.length]!).targets.length;
    }
    return sum;
  });
}

const fan = new BenchRouter(0);
for (let i = 0; i < 500; i++) fan.subscribe(`fan${i}`, 'davy/v1/tenant/site/detector/reading');
for (let i = 0; i < 20; i++) fan.subscribe(`wide${i}`, 'davy/v1/tenant/#');
measure('route to 520 sessions, too many to be remembered', 10_000, (calls) => {
  let sum = 0;
  for (let i = 0; i < calls; i++)
    sum += fan.router.route('davy/v1/tenant/site/detector/reading').targets.length;
  return sum;
});
