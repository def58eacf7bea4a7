import { expect, test } from 'vitest';
import type { Attachment } from '../api';
import { bytesOf, canShow, kindOf, nameOf, pictureOf, reasonOf } from './attachment';

const photo: Attachment = { name: 'IMG_1.jpg', mime: 'image/jpeg', path: 'media/IMG_1.jpg', missing: null };

test('what it is, and what it is called', () => {
  expect(nameOf(photo)).toBe('Picture, IMG_1.jpg');
  expect(nameOf({ ...photo, name: '' })).toBe('Picture');
  expect(nameOf({ ...photo, mime: null, name: 'note.opus' })).toBe('Recording, note.opus');
  expect(nameOf({ ...photo, mime: 'application/pdf', name: 'lease.pdf' })).toBe('lease.pdf');
  expect(nameOf({ ...photo, mime: null, name: '' })).toBe('File');
});

test('what is missing says why', () => {
  expect(reasonOf(photo)).toBe('');
  expect(reasonOf({ ...photo, path: null })).toBe('not in this export');
  expect(reasonOf({ ...photo, path: null, missing: 'too large for the export' })).toBe(
    'too large for the export',
  );
});

test('its picture', () => {
  expect(pictureOf(photo)).toBe('image');
  expect(pictureOf({ ...photo, path: null })).toBe('noimage');
  expect(pictureOf({ ...photo, mime: 'audio/ogg', path: null })).toBe('warn');
  expect(pictureOf({ ...photo, mime: 'text/plain', name: 'a.txt' })).toBe('file');
});

test('pictures and recordings that are there are shown', () => {
  expect([kindOf(photo), canShow(photo)]).toEqual(['picture', true]);
  expect(canShow({ ...photo, path: null })).toBe(false);
  expect(kindOf({ ...photo, mime: null, name: 'note.opus' })).toBe('recording');
  expect(kindOf({ ...photo, mime: 'application/pdf', name: 'a.pdf' })).toBe(null);
  expect([...bytesOf('/+8A')]).toEqual([255, 239, 0]);
});
