import type { JSX } from 'preact';
import { formatNumber } from '../format.ts';
import { useScreen } from '../state/screen.ts';

/** What this screen is not, and the system's own counts. */
export function Footer(): JSX.Element {
  const { store } = useScreen();
  const status = store.status.value;
  return (
    <footer class="footer">
      <p class="warning-note">
        <strong>Supervisory monitoring, not a certified life-safety device.</strong> Keep listed detectors and
        local sounders in place and working.
      </p>
      {status !== null && (
        <p class="counts">
          {formatNumber(status.counts.messages, 0)} messages · {formatNumber(status.counts.readings, 0)}{' '}
          readings stored · {formatNumber(status.counts.missing, 0)} missing ·{' '}
          {formatNumber(status.counts.repeated, 0)} repeated · {formatNumber(status.counts.redelivered, 0)}{' '}
          redelivered and dropped · {formatNumber(status.counts.quarantined, 0)} unreadable in quarantine ·
          last commit {formatNumber(status.counts.lastCommitMs, 1)} ms · Davylamp {status.version}
        </p>
      )}
      {status !== null && status.linksDown.length > 0 && (
        <p class="warning-note" data-testid="links-down">
          <strong>Links down: {status.linksDown.join(', ')}.</strong> What waits there comes when they are
          back; until then nothing new is seen from beyond them.
        </p>
      )}
      {store.unreadable.value > 0 && (
        <p>{formatNumber(store.unreadable.value, 0)} events from the server could not be read.</p>
      )}
    </footer>
  );
}
