import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { prepareAll, type Preparation } from './prepared-change.ts';

describe('prepareAll', () => {
  const recorder = (): { readonly said: string[]; readonly part: (name: string) => Preparation } => {
    const said: string[] = [];
    return {
      said,
      part: (name) => () => {
        said.push(`prepare ${name}`);
        return Promise.resolve({
          warnings: [`warning of ${name}`],
          commit: () => void said.push(`commit ${name}`),
          abort: () => Promise.resolve(void said.push(`abort ${name}`)),
        });
      },
    };
  };

  it('prepares all before it commits one', async () => {
    const { said, part } = recorder();
    const change = await prepareAll([part('a'), part('b')]);
    assert.deepEqual(change.warnings, ['warning of a', 'warning of b']);
    change.commit();
    assert.deepEqual(said, ['prepare a', 'prepare b', 'commit a', 'commit b']);
  });

  it('undoes what was prepared, last first, when one part cannot', async () => {
    const { said, part } = recorder();
    const fault = new Error('no');
    await assert.rejects(prepareAll([part('a'), part('b'), () => Promise.reject(fault), part('c')]), fault);
    assert.deepEqual(said, ['prepare a', 'prepare b', 'abort b', 'abort a']);
  });
});
