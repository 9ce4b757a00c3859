import type { JSX } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { ReadingView } from '../../../src/api/types.ts';
import { formatClock, formatValue, isGasSwitch, metricLabel } from '../format.ts';
import { gapOf, toPlotData } from '../plot-data.ts';

export interface PlotProps {
  readonly metric: string;
  /** Of all metrics of the device, oldest first. */
  readonly readings: readonly ReadingView[];
  readonly intervalMs: number | null;
}

const height = 170;

/**
 * One metric over time. A digital output is drawn in steps, a silence as a gap.
 * @public Imported when the first plot is needed.
 */
export function Plot({ metric, readings, intervalMs }: PlotProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const readout = useSignal('');
  const unit = readings.find((reading) => reading.metric === metric)?.unit ?? '';
  const data = toPlotData(readings, metric, gapOf(intervalMs));
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const target = place.current;
    if (target === null) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      const options = plotOptions({
        metric,
        unit,
        width: target.clientWidth,
        target,
        say: (text) => (readout.value = text),
      });
      plot.current = new uPlot(options, asAligned(latest.current), target);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: target.clientWidth, height }));
    observer.observe(target);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    return () => {
      scheme.removeEventListener('change', draw);
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [metric, unit]);

  useEffect(() => plot.current?.setData(asAligned(latest.current)), [readings]);

  return (
    <>
      <div ref={place} role="img" aria-label={describe(metric, unit, data)} />
      <p class="readout" aria-hidden="true">
        {readout.value}
      </p>
    </>
  );
}

/** The library writes nothing into the columns that it is given. */
function asAligned([times, values]: ReturnType<typeof toPlotData>): uPlot.AlignedData {
  return [times, values];
}

interface OptionsInput {
  readonly metric: string;
  readonly unit: string;
  readonly width: number;
  readonly target: HTMLElement;
  readonly say: (text: string) => void;
}

function plotOptions({ metric, unit, width, target, say }: OptionsInput): uPlot.Options {
  const style = getComputedStyle(target);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const isSwitch = isGasSwitch(metric, unit);
  const axis: uPlot.Axis = {
    stroke: color('--text-soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { stroke: color('--line'), width: 1 },
    font: '12px system-ui, sans-serif',
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { y: isSwitch ? { range: [-0.15, 1.15] } : {} },
    axes: [
      { ...axis, values: (_self, ticks) => ticks.map((tick) => formatClock(tick * 1000)), space: 90 },
      isSwitch
        ? { ...axis, size: 64, splits: [0, 1], values: () => ['no gas', 'gas'] }
        : { ...axis, size: 78, values: (_self, ticks) => ticks.map((tick) => oneText(metric, tick, unit)) },
    ],
    series: [
      {},
      {
        stroke: color('--plot-line'),
        fill: color('--plot-fill'),
        width: 2,
        points: { size: 4 },
        ...(isSwitch && stepped !== undefined ? { paths: stepped } : {}),
      },
    ],
    hooks: { setCursor: [(self) => say(textAtCursor(self, metric, unit))] },
  };
}

function textAtCursor(plot: uPlot, metric: string, unit: string): string {
  const index = plot.cursor.idx;
  if (index === null || index === undefined) return '';
  const time = plot.data[0][index];
  const value = plot.data[1]?.[index];
  if (time === undefined) return '';
  return `${formatClock(time * 1000)}  ${value === null || value === undefined ? 'nothing heard' : oneText(metric, value, unit)}`;
}

function oneText(metric: string, value: number, unit: string): string {
  const text = formatValue(metric, value, unit);
  return `${text.number} ${text.unit}`.trim();
}

function describe(metric: string, unit: string, [times, values]: ReturnType<typeof toPlotData>): string {
  const known = values.filter((value) => value !== null);
  const from = times[0];
  const to = times.at(-1);
  if (known.length === 0 || from === undefined || to === undefined)
    return `${metricLabel(metric)}: no readings`;
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const last = known.at(-1) ?? high;
  return (
    `${metricLabel(metric)} from ${formatClock(from * 1000)} to ${formatClock(to * 1000)}: lowest ${oneText(metric, low, unit)}, ` +
    `highest ${oneText(metric, high, unit)}, last ${oneText(metric, last, unit)}. The table below holds the values.`
  );
}
