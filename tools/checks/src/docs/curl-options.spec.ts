import { describe, expect, it } from 'vitest';
import { readCurlOptions } from './curl-options.ts';

describe('readCurlOptions', () => {
  it('the options of the documents are parsed', () => {
    expect(
      readCurlOptions([
        '-s',
        '-X',
        'PUT',
        'http://h/p',
        '-H',
        'content-type: application/json',
        '-H',
        'prefer: wait=30',
        '-d',
        '{"a": 1}',
        '-w',
        '%{http_code}',
      ]),
    ).toEqual({
      url: 'http://h/p',
      method: 'PUT',
      headers: [
        ['content-type', 'application/json'],
        ['prefer', 'wait=30'],
      ],
      body: '{"a": 1}',
      retries: 0,
      failing: false,
      writeOut: '%{http_code}',
    });
    expect(readCurlOptions(['-sf', '--retry', '5', 'http://h'])).toMatchObject({ method: 'GET', retries: 5, failing: true });
    expect(readCurlOptions(['-s', '-o', '/dev/null', 'http://h'])).toMatchObject({ discards: true });
    expect(readCurlOptions(['http://h', '-d', 'x'])).toMatchObject({ method: 'POST', body: 'x' });
  });

  it('other options are refused', () => {
    expect(() => readCurlOptions(['-k', 'http://h'])).toThrow(TypeError);
    expect(() => readCurlOptions(['-o', 'file', 'http://h'])).toThrow('curl writes to no file here, not to file');
    expect(() => readCurlOptions(['http://h', 'http://i'])).toThrow('curl takes one URL here, not 2');
  });
});
