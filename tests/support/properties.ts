/**
 * fast-check, with the same values in every run: a property that fails then fails for the change at
 * hand, and not by chance. `CONNECTOR_PROPERTY_SEED=N` tries others.
 */
import fc from "fast-check";

const USUAL_SEED = 20261122;

const given = Deno.env.get("CONNECTOR_PROPERTY_SEED");

fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  seed: given === undefined ? USUAL_SEED : Number(given),
});

export { fc };
