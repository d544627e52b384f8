import Hapi from '@hapi/hapi';
import test from 'ava';

import { withCursorHeaders } from '../../core/http/cursor-headers.ts';

test('the next page is told with the filters of the request, whatever the host is called', async (t) => {
	const server = Hapi.server();
	server.route({
		method: 'GET',
		path: '/things',
		handler: (request, h) => withCursorHeaders(h.response([]), request, 2, 'next'),
	});
	for (const host of ['box.example', 'no.host:99999', '[']) {
		const { statusCode, headers } = await server.inject({ url: '/things?kind=a%26b&limit=9', headers: { host } });
		t.is(statusCode, 200, host);
		t.is(headers['link'], '</things?kind=a%26b&limit=2&cursor=next>; rel="next"', host);
	}
});
