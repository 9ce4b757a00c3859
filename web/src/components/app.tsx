import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useScreen } from '../state/screen.ts';
import { AlarmBanner } from './alarm-banner.tsx';
import { AlarmList } from './alarm-list.tsx';
import { DevicePage } from './device-page.tsx';
import { Footer } from './footer.tsx';
import { Header } from './header.tsx';
import { Announcer, NoticeLine } from './messages.tsx';
import { Overview } from './overview.tsx';
import { QuestionDialog } from './question-dialog.tsx';
import { StaleBar } from './stale-bar.tsx';

/** The whole screen: what must always be seen on top, the detectors, and beside them a device or the alarms. */
export function App(): JSX.Element {
  const { route, store } = useScreen();
  const chosen = route.value;
  useFocusOnReturn();
  return (
    <div class={`screen view-${chosen.view}${store.stale.value ? ' is-stale' : ''}`}>
      <Top />
      <main class="columns">
        <Overview />
        <aside class="side" aria-label={chosen.view === 'device' ? 'Chosen device' : 'Alarms'}>
          {chosen.view === 'device' ? <DevicePage key={chosen.id} id={chosen.id} /> : <AlarmList />}
        </aside>
      </main>
      <Footer />
      <QuestionDialog />
      <Announcer />
    </div>
  );
}

/** Header, loss of data and alarms. Its height is told to the style sheet, so that focus is never hidden under it. */
function Top(): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = element.current;
    if (target === null) return undefined;
    const observer = new ResizeObserver(() => {
      document.documentElement.style.setProperty('--top-height', `${target.offsetHeight}px`);
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="top" ref={element}>
      <StaleBar />
      <Header />
      <AlarmBanner />
      <NoticeLine />
    </div>
  );
}

/** Coming back from a device, the focus stands on its tile again: the place is not lost in a long list. */
function useFocusOnReturn(): void {
  const { route } = useScreen();
  const chosen = route.value;
  const last = useRef<string | null>(null);
  useEffect(() => {
    if (chosen.view === 'device') {
      last.current = chosen.id;
    } else if (last.current !== null) {
      document.getElementById(`device-${last.current}`)?.focus();
      last.current = null;
    }
  }, [chosen]);
}
