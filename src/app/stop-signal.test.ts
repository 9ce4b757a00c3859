import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SignalWatch } from './stop-signal.ts';

describe('SignalWatch', () => {
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('keeps a SIGHUP until there is somebody to serve it', async () => {
    using watch = new SignalWatch();
    process.emit('SIGHUP');
    process.emit('SIGHUP');
    const said: string[] = [];
    watch.serve({
      onReload: () => Promise.resolve(void said.push('reload')),
      onSave: () => said.push('save'),
      onTell: () => said.push('tell'),
    });
    await pause();
    process.emit('SIGUSR1');
    assert.deepEqual(said, ['reload', 'save']);
  });

  it('reloads once more for all that come while one reload is under way', async () => {
    using watch = new SignalWatch();
    let count = 0;
    let finish = (): void => {};
    watch.serve({
      onReload: () => {
        count += 1;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      onSave: () => {},
      onTell: () => {},
    });
    for (let i = 0; i < 3; i++) process.emit('SIGHUP');
    assert.equal(count, 1);
    finish();
    await pause();
    assert.equal(count, 2);
    finish();
    await pause();
    process.emit('SIGHUP');
    assert.equal(count, 3);
    finish();
  });

  it('lets the reload that is under way end before the role does, and begins no other', async () => {
    using watch = new SignalWatch();
    const said: string[] = [];
    let finish = (): void => {};
    watch.serve({
      onReload: () => {
        said.push('begin');
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      onSave: () => {},
      onTell: () => {},
    });
    process.emit('SIGHUP');
    process.emit('SIGHUP');
    const retired = watch.retire().then(() => said.push('retired'));
    await pause();
    said.push('end');
    finish();
    await retired;
    process.emit('SIGHUP');
    assert.deepEqual(said, ['begin', 'end', 'retired']);
  });

  it('leaves no handler behind', () => {
    const before = process.listenerCount('SIGHUP');
    {
      using _watch = new SignalWatch();
      assert.equal(process.listenerCount('SIGHUP'), before + 1);
    }
    assert.equal(process.listenerCount('SIGHUP'), before);
    assert.equal(process.listenerCount('SIGUSR1'), 0);
  });
});
