import { render } from 'preact';

import { App } from './app.tsx';
import { type Hull, ServicesContext, createServices } from './state/services.ts';
import { LANGUAGE } from './text.ts';

/** Shows the user interface of a gateway or of a hub. */
export function start(hull: Hull): void {
	document.documentElement.lang = LANGUAGE;
	const root = document.querySelector('#app');
	if (root === null) throw new TypeError('the page has no #app');
	const services = createServices(hull);
	render(
		<ServicesContext.Provider value={services}>
			<App />
		</ServicesContext.Provider>,
		root,
	);
	void services.session.start();
}
