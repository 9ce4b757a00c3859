import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useScreen } from '../state/screen.ts';

/** New alarms, said at once by screen readers. Not seen: the banner shows them. */
export function Announcer(): JSX.Element {
  const { store } = useScreen();
  return (
    <div class="only-spoken" role="alert">
      {store.announcement.value}
    </div>
  );
}

/** What was done shows elsewhere too and makes room again; what failed stays until it is dismissed. */
const doneShownMs = 6000;

/** What was done, or why it was not, until it is dismissed or something else happens. */
export function NoticeLine(): JSX.Element {
  const { store } = useScreen();
  const notice = store.notice.value;
  useEffect(() => {
    if (notice?.kind !== 'done') return undefined;
    const timer = setTimeout(() => (store.notice.value = null), doneShownMs);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notice-place" role="status">
      {notice !== null && (
        <p class={`notice notice-${notice.kind}`}>
          <span>
            <strong>{notice.kind === 'done' ? '✓ Done:' : '✕ Not done:'}</strong> {notice.text}
          </span>
          <button type="button" class="plain" onClick={() => (store.notice.value = null)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}
