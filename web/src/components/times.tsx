import type { JSX } from 'preact';
import { formatSpan, formatTime, formatUtc } from '../format.ts';
import { useScreen } from '../state/screen.ts';

/** A time in the reader's own zone; the tooltip gives it in UTC. */
export function LocalTime({ at }: { readonly at: number }): JSX.Element {
  const { store } = useScreen();
  return (
    <time dateTime={new Date(at).toISOString()} title={formatUtc(at)}>
      {formatTime(at, store.now.value)}
    </time>
  );
}

/** How long ago something was, counting on by itself. */
export function Age({ at }: { readonly at: number }): JSX.Element {
  const { store } = useScreen();
  return (
    <time dateTime={new Date(at).toISOString()} title={formatUtc(at)}>
      {formatSpan(store.now.value - at)} ago
    </time>
  );
}
