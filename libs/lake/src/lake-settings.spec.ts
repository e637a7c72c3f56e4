import { describe, expect, it } from 'vitest';
import { LakeError } from './errors.ts';
import { lakeConfigFrom, lakeRoot, objectSettingsOf, splitRoot } from './lake-settings.ts';

describe('lakeRoot and splitRoot', () => {
  it.each([
    [undefined, 'lake', { bucket: 'lake', prefix: '' }],
    ['shop', 'lake/shop', { bucket: 'lake', prefix: 'shop/' }],
    ['teams/shop', 'lake/teams/shop', { bucket: 'lake', prefix: 'teams/shop/' }],
  ])('the prefix %s makes the root %s', (prefix, root, parts) => {
    expect(lakeRoot('lake', prefix)).toBe(root);
    expect(splitRoot(root)).toEqual(parts);
  });
});

describe('lakeConfigFrom', () => {
  it('an environment without these settings changes nothing', () => {
    expect(objectSettingsOf(lakeConfigFrom({ LAKE_PREFIX: '', LAKE_TAGS: ' ' }))).toEqual({});
  });

  it('settings are read as the services read them', () => {
    const config = lakeConfigFrom({
      LAKE_PREFIX: 'teams/shop',
      LAKE_KMS_KEY: 'alias/lake',
      LAKE_BUCKET_OWNER: '123456789012',
      LAKE_TAGS: 'team=shop, cost=a=b',
    });
    expect(config.LAKE_PREFIX).toBe('teams/shop');
    expect(objectSettingsOf(config)).toEqual({ kmsKey: 'alias/lake', bucketOwner: '123456789012', tags: ['team=shop', 'cost=a=b'] });
  });

  it.each(['/shop', 'shop/', 'a//b', 'a b'])('the prefix "%s" is refused, and the message names the setting', (LAKE_PREFIX) => {
    expect(() => lakeConfigFrom({ LAKE_PREFIX })).toThrow(LakeError);
    expect(() => lakeConfigFrom({ LAKE_PREFIX })).toThrow(/^LAKE_PREFIX is not valid/);
  });

  it('every wrong setting is named at once', () => {
    expect(() => lakeConfigFrom({ LAKE_BUCKET_OWNER: '42', LAKE_TAGS: 'shop' })).toThrow(/LAKE_BUCKET_OWNER.*LAKE_TAGS/);
  });
});
