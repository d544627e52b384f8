import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

import type { Series } from '../state/series.ts';

const HEIGHT_PX = 220;
/** Below this span the marks show seconds and need more room, s. */
const FEW_MINUTES_S = 1_200;

interface ChartProps {
	readonly series: Series;
	/** What it shows, for screen readers; also the text below. */
	readonly summary: string;
	readonly unit: string;
	readonly fromMs: number;
	readonly toMs: number;
}

/** Colours come from the style sheet, which knows light and dark. */
function optionsOf(element: HTMLElement, unit: string): UPlot.Options {
	const style = getComputedStyle(element);
	const axis = {
		stroke: style.getPropertyValue('--axis'),
		grid: { stroke: style.getPropertyValue('--grid'), width: 1 },
	};
	const ticks = { stroke: style.getPropertyValue('--grid'), width: 1, size: 4 };
	return {
		width: element.clientWidth,
		height: HEIGHT_PX,
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false } },
		scales: { x: { time: true } },
		axes: [
			{
				...axis,
				ticks,
				size: 30,
				space: (_, __, from, to) => (to - from < FEW_MINUTES_S ? 90 : 50),
				values: (_, splits) => splits.map(clockFaceFor(splits)),
			},
			{ ...axis, ticks, size: 56 },
		],
		series: [
			{},
			{
				label: unit,
				stroke: style.getPropertyValue('--line'),
				fill: style.getPropertyValue('--line-fill'),
				width: 1.5,
				spanGaps: false,
			},
		],
	};
}

const minutes = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const LANGUAGE = document.documentElement.lang;
const minuteFace = new Intl.DateTimeFormat(LANGUAGE, minutes);
const secondFace = new Intl.DateTimeFormat(LANGUAGE, { ...minutes, second: '2-digit' });

/** Names the marks of a time axis so that no two are alike. */
function clockFaceFor([first = 0, second = 0]: readonly number[]): (seconds: number) => string {
	const face = second - first < 60 ? secondFace : minuteFace;
	return (seconds) => face.format(seconds * 1_000);
}

/** The theme may change while the chart is shown; a canvas does not follow a style sheet by itself. */
const darkScheme = matchMedia('(prefers-color-scheme: dark)');

function dataOf({ timesMs, values }: Series): UPlot.AlignedData {
	return [timesMs.map((ms) => ms / 1_000), [...values]];
}

export function Chart({ series, summary, unit, fromMs, toMs }: ChartProps) {
	const place = useRef<HTMLDivElement>(null);
	const plot = useRef<UPlot | null>(null);
	const shown = useRef(series);
	shown.current = series;

	useEffect(() => {
		const element = place.current;
		if (element === null) return;
		const draw = (): void => {
			plot.current?.destroy();
			plot.current = new UPlot(optionsOf(element, unit), dataOf(shown.current), element);
		};
		draw();
		darkScheme.addEventListener('change', draw);
		const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
		sizes.observe(element);
		return () => {
			sizes.disconnect();
			darkScheme.removeEventListener('change', draw);
			plot.current?.destroy();
			plot.current = null;
		};
	}, [unit]);

	useEffect(() => {
		const chart = plot.current;
		if (chart === null) return;
		chart.batch(() => {
			chart.setData(dataOf(series), true);
			chart.setScale('x', { min: fromMs / 1_000, max: toMs / 1_000 });
		});
	}, [series, fromMs, toMs]);

	return <div class="chart" ref={place} role="img" aria-label={summary} />;
}
