import type { JSX } from 'preact';
import { formatClock, formatSpan, formatUtc } from '../format.ts';
import { useScreen } from '../state/screen.ts';

/** Says over the full width that what stands below is old. It goes away by itself when fresh data has come. */
export function StaleBar(): JSX.Element | null {
  const { store } = useScreen();
  const feed = store.feed.value;
  if (feed.kind !== 'stale') return null;
  return (
    <div class="stale-bar" role="alert" data-testid="stale-bar">
      <strong>
        DATA STALE since <time title={formatUtc(feed.since)}>{formatClock(feed.since)}</time>
      </strong>{' '}
      <StaleFor since={feed.since} />
    </div>
  );
}

/** Apart and silent for screen readers: the alert must not be read out again every second. */
function StaleFor({ since }: { readonly since: number }): JSX.Element {
  const { store } = useScreen();
  return (
    <span aria-hidden="true">
      The server has not been heard for {formatSpan(store.localNow.value - since)}. Everything below is the
      last known state. Trying again …
    </span>
  );
}
