import process from 'node:process';

/**
 * Calls back at the first SIGINT or SIGTERM; a second one has its usual effect. Keeps the process alive until the
 * answer is called: the timers of the tools do not.
 */
export function onStop(callback: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
  const onInterrupt = (): void => stop('SIGINT');
  const onTerminate = (): void => stop('SIGTERM');
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const quiet = (): void => {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  };
  const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
    quiet();
    callback(signal);
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return () => {
    quiet();
    clearInterval(keepAlive);
  };
}
