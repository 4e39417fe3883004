/** Versions of vehicle models, key: model. */
export const vehiclesTopic = 'vehicles';

/** Versions of tariffs, key: tariff id. */
export const tariffsTopic = 'tariffs';
