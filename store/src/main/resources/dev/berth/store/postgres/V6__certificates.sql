-- Which certificate each agent has, as far as the director knows; one without a row is unknown.
-- signer and trust name the CA that signed it and all that the agent trusts; trouble is why the
-- last renewal failed, or empty.
CREATE TABLE agent_certificates (
    agent TEXT COLLATE "C" PRIMARY KEY,
    ends_at BIGINT NOT NULL,
    renew_at BIGINT NOT NULL,
    signer TEXT COLLATE "C" NOT NULL,
    trust TEXT COLLATE "C" NOT NULL,
    trouble TEXT COLLATE "C" NOT NULL
);
