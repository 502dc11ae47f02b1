/** A mail server for a test, on free ports, which ends with it. */

import { onTestFinished } from 'vitest';
import { startMailSink } from '../../dev/mail/sink.ts';
import type { MailSink, MailSinkOptions } from '../../dev/mail/sink.ts';

export async function openMailSink(
  options: Pick<MailSinkOptions, 'smtp' | 'onMessage'> = {},
): Promise<MailSink> {
  const sink = await startMailSink({ ports: { smtp: 0, pages: 0 }, clock: Date.now, ...options });
  onTestFinished(() => sink.close());
  return sink;
}
