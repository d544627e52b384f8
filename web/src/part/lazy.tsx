import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

import { t } from '../text.ts';

/** A page whose code is fetched when it is first shown. */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
	let loaded: ComponentType | null = null;
	return function Lazy() {
		const state = useSignal<'loading' | 'ready' | 'failed'>(loaded === null ? 'loading' : 'ready');
		useEffect(() => {
			if (state.value !== 'loading') return;
			const fetchView = async (): Promise<void> => {
				try {
					loaded = await load();
					state.value = 'ready';
				} catch {
					state.value = 'failed';
				}
			};
			void fetchView();
		}, [state]);
		if (state.value === 'failed') return <p role="alert">{t('error.unreachable')}</p>;
		const View = loaded;
		return state.value === 'ready' && View !== null ? <View /> : <p class="quiet">{t('app.loading')}</p>;
	};
}
