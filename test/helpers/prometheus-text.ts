import assert from 'node:assert/strict';

/** What a page in Prometheus' text format holds. */
export interface PrometheusPage {
  /** By the name of the metric; in the order of the page. */
  readonly families: ReadonlyMap<string, { readonly type: string; readonly help: string }>;
  /** By the series as it stands there: `name{label="value"}`. */
  readonly values: ReadonlyMap<string, number>;
}

const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_]\w*="[^"\\\n]*"(?:,[a-zA-Z_]\w*="[^"\\\n]*")*\})? (\S+)$/;

/** Reads a page strictly: each series once, after the HELP and the TYPE of its family, which stand there once. */
export function parsePrometheus(text: string): PrometheusPage {
  assert.ok(text.endsWith('\n'), 'ends with a line end');
  const families = new Map<string, { type: string; help: string }>();
  const helps = new Map<string, string>();
  const values = new Map<string, number>();
  let current = '';
  for (const line of text.split('\n').filter((one) => one !== '')) {
    if (line.startsWith('#')) {
      const [, kind = '', name = '', rest = ''] = comment.exec(line) ?? assert.fail(line);
      if (kind === 'HELP') {
        assert.ok(!helps.has(name), `${name}: HELP twice`);
        helps.set(name, rest);
      } else {
        assert.ok(!families.has(name), `${name}: TYPE twice`);
        families.set(name, { type: rest, help: helps.get(name) ?? assert.fail(`${name}: no HELP`) });
        current = name;
      }
      continue;
    }
    const [, name = '', labels = '', value = ''] = sample.exec(line) ?? assert.fail(line);
    const suffixes = families.get(current)?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    assert.ok(
      suffixes.some((suffix) => name === `${current}${suffix}`),
      `${line} stands below ${current}`,
    );
    assert.ok(!values.has(`${name}${labels}`), `${name}${labels} twice`);
    assert.ok(value === 'Nan' || Number.isFinite(Number(value)), line);
    values.set(`${name}${labels}`, Number(value));
  }
  return { families, values };
}
