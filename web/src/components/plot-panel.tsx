import type { ComponentType, JSX } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { DeviceView, ReadingView } from '../../../src/api/types.ts';
import { formatValue, metricLabel, qualityNote } from '../format.ts';
import { metricsOf } from '../plot-data.ts';
import { useScreen } from '../state/screen.ts';
import type { PlotProps } from './plot.tsx';
import { LocalTime } from './times.tsx';

const tableRows = 100;

/** The course of each metric of a device, as a plot and as a table. */
export function PlotPanel({ device }: { readonly device: DeviceView }): JSX.Element {
  const { store } = useScreen();
  const log = store.log.value;
  const readings = log?.readings.value ?? [];
  const Plot = usePlot();
  return (
    <section>
      <h3>Readings</h3>
      {readings.length === 0 && (
        <p class="empty">{log?.loaded.value === true ? 'No readings yet.' : 'Loading …'}</p>
      )}
      {metricsOf(readings, device.values).map((metric) => (
        <figure class="plot" key={metric}>
          <figcaption>{metricLabel(metric)}</figcaption>
          <div class="plot-place">
            {Plot !== null && <Plot metric={metric} readings={readings} intervalMs={device.intervalMs} />}
          </div>
        </figure>
      ))}
      {readings.length > 0 && <ReadingsTable readings={readings} />}
    </section>
  );
}

/** The plotting library is fetched with the first device that is looked at: the alarm must not wait for it. */
function usePlot(): ComponentType<PlotProps> | null {
  const loaded = useSignal<{ readonly Plot: ComponentType<PlotProps> } | null>(null);
  const { store } = useScreen();
  useEffect(() => {
    import('./plot.tsx').then(
      (module) => (loaded.value = module),
      () =>
        (store.notice.value = {
          kind: 'failed',
          text: 'The plot could not be loaded; the table holds the same readings.',
        }),
    );
  }, []);
  return loaded.value?.Plot ?? null;
}

function ReadingsTable({ readings }: { readonly readings: readonly ReadingView[] }): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <details class="readings-table" onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>Readings as a table</summary>
      {isOpen.value && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Readings, newest first">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Sequence</th>
                <th scope="col">Metric</th>
                <th scope="col">Value</th>
                <th scope="col">Notes</th>
              </tr>
            </thead>
            <tbody>
              {readings
                .slice(-tableRows)
                .reverse()
                .map((reading) => (
                  <Row
                    key={`${reading.epoch} ${reading.sequence} ${reading.metric} ${reading.receivedAt}`}
                    reading={reading}
                  />
                ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function Row({ reading }: { readonly reading: ReadingView }): JSX.Element {
  const text = formatValue(reading.metric, reading.value, reading.unit);
  const notes = [reading.kind === 'requested' ? 'requested' : '', qualityNote(reading.quality)].filter(
    Boolean,
  );
  return (
    <tr>
      <td>
        <LocalTime at={reading.at} />
      </td>
      <td>{reading.sequence ?? '–'}</td>
      <td>{metricLabel(reading.metric)}</td>
      <td>
        {text.number} {text.unit}
      </td>
      <td>{notes.join(', ')}</td>
    </tr>
  );
}
