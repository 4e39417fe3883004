import { avroCodec } from '../schemas/avro-codec.ts';
import type { Codec, Form } from '../schemas/codec.ts';

/** The codec of a form as state is kept in it. */
export function stateCodec<T>(form: Form<T>): Codec<T> {
  return form.kind === 'codec' ? form : avroCodec(form);
}
