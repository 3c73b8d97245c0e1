-- Which certificate each agent has, as far as the director knows; one without a row is unknown.
-- signer and trust name the CA that signed it and all that the agent trusts; trouble is why the
-- last renewal failed, or empty.
CREATE TABLE agent_certificates (
    agent TEXT PRIMARY KEY,
    ends_at INTEGER NOT NULL,
    renew_at INTEGER NOT NULL,
    signer TEXT NOT NULL,
    trust TEXT NOT NULL,
    trouble TEXT NOT NULL
);
